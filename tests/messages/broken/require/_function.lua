local rules = {}
function rules.old(request)
  return request.meta.age -- here
end
return rules
