#!/usr/bin/env falrun
assert(arg[0])
