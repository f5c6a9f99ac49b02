# `cpack -G DEB` in the build tree makes the Debian package: what `cmake --install` puts under /usr, and what only Debian wants.
set(PROXYXAI_MAINTAINER "The ProxyXAI authors <maintainers@example.com>" CACHE STRING "Who answers for the Debian package: Name <address>")
set(PROXYXAI_HOMEPAGE "https://proxyxai.com" CACHE STRING "Homepage field of the Debian package")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME proxyxai)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${PROXYXAI_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};${PROJECT_NAME};ALL;/")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian_files.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE ${PROXYXAI_HOMEPAGE})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "systemd")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "nginx-light | nginx, prometheus")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "gateway from a pool of OpenAI keys to metered API service")
set(CPACK_PACKAGE_DESCRIPTION "ProxyXAI eats OpenAI keys and gives out stable, metered API service. Clients
point an OpenAI SDK at it with a virtual key; it takes the next healthy
upstream key from a pool, forwards the request, throws away upstream failures
and tries another key, and streams the answer back byte for byte.
.
Accounts are prepaid and may have accounts below them. Everything is kept in
one SQLite database. Pages for whoever holds a key and for root come along, as
does the documentation: plain files for any web server.")
set(debian ${PROJECT_SOURCE_DIR}/config/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PROXYXAI_DEBIAN ${debian})

include(CPack)
