return fal.policy() -- here
