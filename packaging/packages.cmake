# packages.cmake - what is installed, and the packages that carry it.
#
#   cmake --build build/release --target package     .deb and .tar.gz
#   scripts/dev/package                              and holds them to account
#
# Nothing is fetched. What Debian wants compressed is compressed in the build.
set(packaging ${PROJECT_SOURCE_DIR}/packaging)
set(made ${PROJECT_BINARY_DIR}/packaging)

install(TARGETS falrun RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY scripts/policies DESTINATION ${CMAKE_INSTALL_DATADIR}/falrun
        USE_SOURCE_PERMISSIONS)
install(FILES README.md SECURITY.md packaging/debian/copyright
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
        PATTERN man EXCLUDE)
install(DIRECTORY packaging/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
        PATTERN debian EXCLUDE PATTERN *.cmake EXCLUDE PATTERN README.md EXCLUDE)

# fr_made(name source): build/packaging/name, the source compressed.
function(fr_made name source)
  add_custom_command(OUTPUT ${made}/${name}
    COMMAND sh -c "gzip -9nc \"$0\" >\"$1\"" ${source} ${made}/${name}
    DEPENDS ${source} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY FR_MADE ${made}/${name})
endfunction()

file(MAKE_DIRECTORY ${made})
fr_made(changelog.gz ${packaging}/debian/changelog)
install(FILES ${made}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB pages CONFIGURE_DEPENDS docs/man/*.[1-8])
foreach(page ${pages})
  get_filename_component(name ${page} NAME)
  string(REGEX REPLACE ".*\\." "" section ${name})
  fr_made(${name}.gz ${page})
  install(FILES ${made}/${name}.gz
          DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# What the program prints of itself: falrun(1), and what completes its line.
# Each shell looks in a folder of its own, under its own name.
function(fr_printed name where)
  add_custom_command(OUTPUT ${made}/${name}
    COMMAND sh -c "\"$@\" >\"$0\"" ${made}/${name}
            $<TARGET_FILE:falrun> ${ARGN}
    DEPENDS falrun VERBATIM)
  set_property(GLOBAL APPEND PROPERTY FR_MADE ${made}/${name})
  if(where)
    install(FILES ${made}/${name} DESTINATION ${CMAKE_INSTALL_DATADIR}/${where})
  endif()
endfunction()
fr_printed(falrun bash-completion/completions completion bash)
fr_printed(_falrun zsh/vendor-completions completion zsh)
fr_printed(falrun.fish fish/vendor_completions.d completion fish)
fr_printed(falrun.1 "" manual)
fr_made(falrun.1.gz ${made}/falrun.1)
install(FILES ${made}/falrun.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# What the program is made of; a build with sanitizers is no product.
find_program(DPKG_QUERY dpkg-query)
if(DPKG_QUERY AND NOT FALRUN_SANITIZE)
  add_custom_command(
    OUTPUT ${made}/falrun.spdx.json ${made}/LIBRARIES
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:falrun> -DFOLDER=${made}
            -DVERSION=${PROJECT_VERSION} -DCJSON=${CJSON_STATIC}
            -DCHART=${CHART_JS} -P ${packaging}/sbom.cmake
    DEPENDS falrun ${packaging}/sbom.cmake VERBATIM)
  set_property(GLOBAL APPEND PROPERTY FR_MADE ${made}/falrun.spdx.json)
  install(FILES ${made}/falrun.spdx.json ${made}/LIBRARIES
          DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
get_property(all_made GLOBAL PROPERTY FR_MADE)
add_custom_target(packaging ALL DEPENDS ${all_made})

# ---- packages ---------------------------------------------------------------

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME falrun)
set(CPACK_PACKAGE_VENDOR "the falrun authors")
set(CPACK_PACKAGE_CONTACT "the falrun authors <maintainers@falrun.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "data retention on fal.ai, in Lua")
set(CPACK_PACKAGE_DESCRIPTION
"falrun runs retention policies, small Lua scripts, against the Platform API of
fal.ai. Every deletion passes one gate below Lua: holds, limits, an intent on
disk before the first byte is sent, and an outcome in a chained ledger. Runs
are planned, resumed after a crash, and shown to an auditor.")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_FILE_NAME
    falrun-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${packaging}/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
