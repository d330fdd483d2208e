# npm_packages(NAME FOLDER): the packages of FOLDER/package-lock.json in build/npm/NAME, installed
# when something that depends on ${NPM_NAME_STAMP} is built. A build without npm or its registry
# says what to do (deploy/npm_ci.sh).
function(npm_packages name folder)
  set(target ${CMAKE_BINARY_DIR}/npm/${name})
  add_custom_command(OUTPUT ${target}/installed.json
    COMMAND ${CMAKE_SOURCE_DIR}/deploy/npm_ci.sh ${folder} ${target}
    DEPENDS ${folder}/package.json ${folder}/package-lock.json ${CMAKE_SOURCE_DIR}/deploy/npm_ci.sh
    COMMENT "Installing the npm packages of ${folder}"
    VERBATIM)
  set(NPM_${name}_DIR ${target} PARENT_SCOPE)
  set(NPM_${name}_STAMP ${target}/installed.json PARENT_SCOPE)
endfunction()
