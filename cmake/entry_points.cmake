# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
# Install lib/<package>/<name>, which `ros2 run` and launch start, for every entry point
# `name = module:function` of a setup.cfg: the list that pip reads as well.
function(install_entry_points setup_cfg)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${setup_cfg})
  set(pattern "^ +([a-z0-9_]+) = ([a-z0-9_.]+):([a-z0-9_]+)$")
  file(STRINGS ${setup_cfg} lines REGEX "${pattern}")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "${pattern}" _ "${line}")
    set(module ${CMAKE_MATCH_2})
    set(function ${CMAKE_MATCH_3})
    set(executable ${CMAKE_CURRENT_BINARY_DIR}/executables/${CMAKE_MATCH_1})
    # The execute bit is set here, because --symlink-install links to this file as it is.
    configure_file(cmake/executable.py.in ${executable} @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                       WORLD_READ WORLD_EXECUTE
    )
    install(PROGRAMS ${executable} DESTINATION lib/${PROJECT_NAME})
  endforeach()
endfunction()
