# What `cmake --install` puts where, and the Debian package made of it (cmake/debian.cmake).
include(GNUInstallDirs)
set(data ${CMAKE_INSTALL_DATADIR}/proxyxai)

install(TARGETS proxyxai RUNTIME)
install(FILES config/prices.json config/proxyxai.json DESTINATION ${data})
install(DIRECTORY config/nginx DESTINATION ${data})
install(DIRECTORY config/prometheus config/grafana DESTINATION ${data} OPTIONAL)

# Each page's directory is whole: what is a link in the repository is a copy here.
foreach(page billing user admin)
  install(DIRECTORY pages/${page} DESTINATION ${data}/pages PATTERN shared EXCLUDE)
  install(DIRECTORY pages/shared DESTINATION ${data}/pages/${page})
endforeach()
install(DIRECTORY pages/docs DESTINATION ${data}/pages)

install(FILES docs/proxyxai.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES README.md README.zh-CN.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md" PATTERN site EXCLUDE)
install(FILES LICENSE SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(FILES config/completion/proxyxai.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME proxyxai)
install(FILES config/completion/_proxyxai DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES config/completion/proxyxai.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(PROGRAMS config/proxyxai-backup DESTINATION lib/proxyxai RENAME backup)

# Units name programs by their paths, which are known once the prefix is: `cmake --install --prefix` may choose another.
install(CODE "set(units \"${PROJECT_SOURCE_DIR}/config/systemd\")")
install(SCRIPT cmake/install_units.cmake)

include(cmake/debian.cmake)
