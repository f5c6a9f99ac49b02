# Run by CPack after `cmake --install`: what Debian wants beside it or otherwise than elsewhere.
# The paths here are whole already.
unset(ENV{DESTDIR})
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(usr ${root}/usr)
set(doc ${usr}/share/doc/proxyxai)
set(debian ${CPACK_PROXYXAI_DEBIAN})

file(INSTALL ${debian}/proxyxai.json DESTINATION ${root}/etc/proxyxai)
file(INSTALL ${debian}/proxyxai.env DESTINATION ${root}/etc/proxyxai PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)

file(INSTALL ${debian}/lintian-overrides DESTINATION ${usr}/share/lintian/overrides RENAME proxyxai)
file(INSTALL ${debian}/copyright DESTINATION ${doc})
file(REMOVE ${doc}/LICENSE)
file(INSTALL ${debian}/changelog DESTINATION ${doc})
file(MAKE_DIRECTORY ${usr}/share/zsh)
file(RENAME ${usr}/share/zsh/site-functions ${usr}/share/zsh/vendor-completions)
execute_process(COMMAND gzip -9n ${doc}/changelog ${usr}/share/man/man1/proxyxai.1 COMMAND_ERROR_IS_FATAL ANY)
