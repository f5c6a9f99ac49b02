# Run by `cmake --install`: puts the units in config/systemd under the prefix, the programs' paths filled in.
set(program ${CMAKE_INSTALL_PREFIX}/bin/proxyxai)
set(helpers ${CMAKE_INSTALL_PREFIX}/lib/proxyxai)
foreach(unit proxyxai.service proxyxai.socket proxyxai-operations.socket proxyxai-backup.service proxyxai-backup.timer)
  set(place $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/systemd/system/${unit})
  message(STATUS "Installing: ${place}")
  list(APPEND CMAKE_INSTALL_MANIFEST_FILES ${CMAKE_INSTALL_PREFIX}/lib/systemd/system/${unit})
  configure_file(${units}/${unit} ${place} @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()
