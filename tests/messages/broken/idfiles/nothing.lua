local ids = fal.ids() -- here
return ids
