# The targets of tests/fuzz: one program a file, over the library that it
# fuzzes. With FALRUN_FUZZ (clang, scripts/dev/fuzz) libFuzzer drives them;
# else replay.c runs each once over its corpus, as a test.
function(fuzz_target name library)
  set(sources tests/fuzz/${name}.c)
  if(NOT FALRUN_FUZZ)
    list(APPEND sources tests/fuzz/replay.c)
  endif()
  add_executable(fuzz_${name} ${sources})
  target_link_libraries(fuzz_${name} PRIVATE ${library})
  target_compile_options(fuzz_${name} PRIVATE -UNDEBUG
                                              -Wno-missing-prototypes)
  target_compile_definitions(fuzz_${name} PRIVATE
    FUZZ_SCRIPTS="${PROJECT_SOURCE_DIR}/scripts")
  if(FALRUN_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_test(NAME fuzz/${name} COMMAND fuzz_${name}
             ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()

foreach(target uuid date duration idfile zone)
  fuzz_target(${target} fr_base)
endforeach()
foreach(target headers answer page)
  fuzz_target(${target} fr_fal)
endforeach()
fuzz_target(ledger fr_ledger)
fuzz_target(link "fr_probe;fr_fal")
foreach(target plan csv json)
  fuzz_target(${target} fr_bindings)
endforeach()
fuzz_target(options fr_host)
fuzz_target(profile fr_host)
