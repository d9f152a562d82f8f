# sbom.cmake - what the program is made of, as SPDX 2.3, from dpkg's facts.
#
#   cmake -DPROGRAM=build/release/falrun -DFOLDER=out -DVERSION=0.1.0
#         -DCJSON=/usr/lib/.../liblua5.4-cjson.a -DCHART=.../chart.min.js
#         -P packaging/sbom.cmake          -> out/falrun.spdx.json, out/LIBRARIES
#
# The libraries are those that the loader finds on this machine, each of the
# package that brought it; none of them is part of falrun's own packages. Two
# are: lua-cjson, linked in, and Chart.js, which the pages carry.
cmake_minimum_required(VERSION 3.22)

function(run out)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${ARGN}
                  OUTPUT_VARIABLE text RESULT_VARIABLE code
                  ERROR_VARIABLE error OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${error}")
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# The package that a file is of. Debian 12 has /lib in /usr, and dpkg may know
# the file by either name.
function(package_of file out)
  file(REAL_PATH "${file}" real)
  string(REGEX REPLACE "^/usr/lib" "/lib" short "${real}")
  foreach(name ${real} ${short} ${file})
    execute_process(COMMAND dpkg-query -S ${name} OUTPUT_VARIABLE text
                    RESULT_VARIABLE code ERROR_QUIET)
    if(code EQUAL 0)
      string(REGEX REPLACE ":.*" "" text "${text}")
      set(${out} ${text} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "no package has ${file}")
endfunction()

# ---- facts ------------------------------------------------------------------

run(loaded ldd ${PROGRAM})
string(REGEX MATCHALL "/[^ \n]+" files "${loaded}")
run(dynamic objdump -p ${PROGRAM})
string(REGEX MATCHALL "NEEDED +[^\n]+" needed "${dynamic}")
set(direct)
foreach(line ${needed})
  string(REGEX REPLACE "NEEDED +" "" line "${line}")
  list(APPEND direct ${line})
endforeach()
set(linked)                     # packages that falrun itself asks for
set(others)                     # and those that these ask for
foreach(file ${files})
  package_of(${file} package)
  get_filename_component(name ${file} NAME)
  if(name IN_LIST direct)
    list(APPEND linked ${package})
  else()
    list(APPEND others ${package})
  endif()
endforeach()
list(REMOVE_DUPLICATES linked)
list(REMOVE_DUPLICATES others)
list(REMOVE_ITEM others ${linked})
list(SORT linked)
list(SORT others)
package_of(${CJSON} cjson)
package_of(${CHART} chart)
file(SHA256 ${PROGRAM} digest)
string(SUBSTRING ${digest} 0 16 short)
string(TIMESTAMP now UTC)

# ---- the document -----------------------------------------------------------
# No value has a character that JSON would want escaped: names, versions and
# digests of dpkg are letters, digits and "+-.:~".

set(packages "")
set(relations "")

# add(package relation): a Debian package, and what falrun has to do with it.
function(add package relation)
  run(facts dpkg-query -W
      -f "\${Version}|\${Architecture}|\${source:Package}\n" ${package})
  string(REGEX REPLACE "\n.*" "" facts "${facts}")
  string(REPLACE "|" ";" facts "${facts}")
  list(GET facts 0 version)
  list(GET facts 1 architecture)
  list(GET facts 2 source)
  string(REPLACE "+" "%2B" url_name ${package})
  string(REPLACE "+" "%2B" url_version ${version})
  string(REPLACE ":" "%3A" url_version ${url_version})
  string(REGEX REPLACE "[^A-Za-z0-9.-]" "-" id ${package})
  set(packages "${packages},
    {
      \"SPDXID\": \"SPDXRef-${id}\",
      \"name\": \"${package}\",
      \"versionInfo\": \"${version}\",
      \"supplier\": \"Organization: Debian\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"sourceInfo\": \"Debian source package ${source}\",
      \"licenseConcluded\": \"NOASSERTION\",
      \"licenseDeclared\": \"NOASSERTION\",
      \"copyrightText\": \"NOASSERTION\",
      \"externalRefs\": [
        {
          \"referenceCategory\": \"PACKAGE-MANAGER\",
          \"referenceType\": \"purl\",
          \"referenceLocator\": \"pkg:deb/debian/${url_name}@${url_version}?arch=${architecture}\"
        }
      ]
    }" PARENT_SCOPE)
  set(relations "${relations},
    {
      \"spdxElementId\": \"SPDXRef-falrun\",
      \"relationshipType\": \"${relation}\",
      \"relatedSpdxElement\": \"SPDXRef-${id}\"
    }" PARENT_SCOPE)
endfunction()

foreach(package ${linked})
  add(${package} DYNAMIC_LINK)
endforeach()
foreach(package ${others})
  add(${package} DEPENDS_ON)
endforeach()
add(${cjson} STATIC_LINK)
add(${chart} CONTAINS)

file(WRITE ${FOLDER}/falrun.spdx.json "{
  \"spdxVersion\": \"SPDX-2.3\",
  \"dataLicense\": \"CC0-1.0\",
  \"SPDXID\": \"SPDXRef-DOCUMENT\",
  \"name\": \"falrun-${VERSION}\",
  \"documentNamespace\": \"https://falrun.example/spdx/falrun-${VERSION}-${short}\",
  \"creationInfo\": {
    \"created\": \"${now}\",
    \"creators\": [\"Tool: falrun-sbom-${VERSION}\"]
  },
  \"packages\": [
    {
      \"SPDXID\": \"SPDXRef-falrun\",
      \"name\": \"falrun\",
      \"versionInfo\": \"${VERSION}\",
      \"primaryPackagePurpose\": \"APPLICATION\",
      \"supplier\": \"Organization: the falrun authors\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"licenseConcluded\": \"MIT\",
      \"licenseDeclared\": \"MIT\",
      \"copyrightText\": \"2026 the falrun authors\"
    }${packages}
  ],
  \"relationships\": [
    {
      \"spdxElementId\": \"SPDXRef-DOCUMENT\",
      \"relationshipType\": \"DESCRIBES\",
      \"relatedSpdxElement\": \"SPDXRef-falrun\"
    }${relations}
  ]
}
")

list(JOIN linked " " names)
file(WRITE ${FOLDER}/LIBRARIES "bin/falrun runs from any folder. It needs these shared libraries:

")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  if(name IN_LIST direct)
    file(APPEND ${FOLDER}/LIBRARIES "  ${name}\n")
  endif()
endforeach()
file(APPEND ${FOLDER}/LIBRARIES "
and certificates to trust. On Debian 12:

  apt-get install ca-certificates ${names}
")
