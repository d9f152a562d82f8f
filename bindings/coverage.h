/* bindings/coverage.h - between the hook of caps.c and coverage.c. */
#ifndef FRL_COVERAGE_H
#define FRL_COVERAGE_H

#include <lua.h>

struct frl_coverage;

/* A line event of a hook; never raises. */
void frl_coverage_note(lua_State *L, lua_Debug *ar);

#endif
