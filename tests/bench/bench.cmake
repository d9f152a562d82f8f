# The programs that falrun is measured against (tests/bench/README.md).
foreach(name lean_delete lean_list lean_start slow)
  add_executable(${name} tests/bench/${name}.c tests/bench/lean.c)
  target_link_libraries(${name} PRIVATE fr_flags PkgConfig::CURL
    PkgConfig::JANSSON PkgConfig::SQLITE PkgConfig::MICROHTTPD
    PkgConfig::CRYPTO PkgConfig::LUA)
endforeach()
add_library(lean_nosync MODULE tests/bench/lean_nosync.c)
target_link_libraries(lean_nosync PRIVATE fr_flags)
set_target_properties(lean_delete lean_list lean_start slow lean_nosync
  PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench
             LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench PREFIX "")
