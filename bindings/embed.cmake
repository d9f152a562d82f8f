# Writes OUT: every file of FILES (paths below ROOT/scripts) as C bytes, and
# the table frl_embedded[] that bindings/embedded.h declares. Module names
# are paths: scripts/fal/requests.lua is "fal.requests".
set(bodies "")
set(rows "")
set(number 0)
foreach(file ${FILES})
  file(READ ${ROOT}/${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "^scripts/(.*)\\.lua$" "\\1" name ${file})
  string(REPLACE "/" "." name ${name})
  string(APPEND bodies
         "static const unsigned char text_${number}[] = {${bytes}0};\n")
  string(APPEND rows "  { \"${name}\", \"${file}\", text_${number},"
                     " sizeof(text_${number}) - 1 },\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "/* made by bindings/embed.cmake from scripts/ */\n"
  "#include \"bindings/embedded.h\"\n${bodies}"
  "const struct frl_embedded frl_embedded[] = {\n${rows}"
  "  { 0, 0, 0, 0 },\n};\n")
