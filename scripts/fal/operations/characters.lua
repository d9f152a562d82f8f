--- Operations of characters: collections that show somebody, for prompts.
local param = require "fal.operations.params"

local path <const>, body <const> = param.path, param.body

local ID <const> = path("character_id", "string", "the character",
                        { required = true, min = 1 })
local NAME <const> = body("name", "string", "the name", { min = 1,
                                                          max = 255 })
local DESCRIPTION <const> = body("description", "string", "what it looks like",
                                 { min = 1, max = 2000 })
local IMAGES <const> = body("reference_images", "string", "images that show "
  .. "it: vector ids, request ids, or addresses",
  { many = true, min = 1, least = 1, most = 20 })
local COVER <const> = body("cover_image_url", "url", "an image that fal hosts",
                           { null = true })
local NEEDED <const> = { required = true }
local OF_ONE <const> = { character = "object" }

return {
  { name = "assets.characters.list", method = "GET",
    path = "/assets/characters", key = "api", doc = "the characters",
    params = { param.hundred, param.offset }, paging = "offset",
    list = "characters", item = { id = "string", name = "string" },
    stands = param.of_assets(200) },

  { name = "assets.characters.create", method = "POST",
    path = "/assets/characters", key = "api", doc = "makes a character",
    params = {
      param.with(NAME, NEEDED),
      body("identifier", "string", "what prompts call it, after an @",
           { max = 64, null = true }),
      param.with(DESCRIPTION, NEEDED), param.with(IMAGES, NEEDED), COVER,
    },
    idempotent = true, changes = "reversible", target = "name",
    answer = OF_ONE, stands = param.of_assets(201) },

  { name = "assets.characters.update", method = "PATCH",
    path = "/assets/characters/{character_id}", key = "api",
    doc = "changes a character",
    params = { ID, NAME, DESCRIPTION, IMAGES, COVER },
    idempotent = true, changes = "reversible", answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.characters.get", method = "GET",
    path = "/assets/characters/{character_id}", key = "api",
    doc = "one character", params = { ID }, answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.characters.delete", method = "DELETE",
    path = "/assets/characters/{character_id}", key = "api",
    doc = "ends a character", params = { ID },
    idempotent = true, changes = "irreversible",
    stands = param.of_assets(204) },

  { name = "assets.characters.favorite", method = "POST",
    path = "/assets/characters/{character_id}/favorite", key = "api",
    doc = "makes a character a favorite", params = { ID },
    idempotent = true, changes = "reversible", answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.characters.unfavorite", method = "POST",
    path = "/assets/characters/{character_id}/unfavorite", key = "api",
    doc = "makes a character a favorite no more", params = { ID },
    idempotent = true, changes = "reversible", answer = OF_ONE,
    stands = param.of_assets(200) },
}
