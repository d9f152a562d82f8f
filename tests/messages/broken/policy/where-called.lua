local function failed(request) return request and request.status_code >= 400 end
return fal.policy { -- here
  name = "flux-30d", reason = "30 days", where = failed(nil) or false,
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
}
