fal.limits {}
