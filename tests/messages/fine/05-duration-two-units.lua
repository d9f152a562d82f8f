assert(fal.ago "1h30m" < fal.ago "1h")
