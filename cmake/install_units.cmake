# Run by `cmake --install`: puts the units in config/systemd under the prefix, the program's path filled in.
set(program ${CMAKE_INSTALL_PREFIX}/bin/proxyxai)
foreach(unit proxyxai.service proxyxai.socket proxyxai-operations.socket proxyxai-backup.service proxyxai-backup.timer)
  set(place ${CMAKE_INSTALL_PREFIX}/lib/systemd/system/${unit})
  message(STATUS "Installing: $ENV{DESTDIR}${place}")
  configure_file(${units}/${unit} $ENV{DESTDIR}${place} @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()
