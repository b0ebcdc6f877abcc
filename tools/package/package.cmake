# Debian packages: `cpack -G DEB` in a build folder makes libecgcnn0.1 (the library), libecgcnn-dev, ecgcnn-tools
# and, where there is MPI, ecgcnn-mpi.
set(ECG_MAINTAINER "libecgcnn without a maintainer <nobody@example.org>" CACHE STRING
  "Who answers for the packages: Name <address>")

set(library_package libecgcnn${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}) # after the SONAME
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME libecgcnn)
set(CPACK_PACKAGE_VENDOR libecgcnn)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_CONTACT "${ECG_MAINTAINER}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL library development)
if(ECG_TOOLS)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()

if(TARGET ecg-train-mpi)
  list(APPEND CPACK_COMPONENTS_ALL mpi)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
set(exactly "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${library_package})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_LIST_DIR}/triggers ${PROJECT_BINARY_DIR}/package/shlibs ${PROJECT_BINARY_DIR}/package/symbols)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
"networks that read ECG beat pictures (shared library)
libecgcnn trains convolutional networks on pictures of single heartbeats and
runs them on the processor, with OpenBLAS. It reads PNG and JPEG pictures, and
ECG recordings in WFDB, EDF and CSV files.

For research and teaching only. Not a medical device.

This package contains the shared library.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libecgcnn-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "${library_package} ${exactly}, libopenblas-dev, libpng-dev, libjpeg-dev, zlib1g-dev, pkgconf | pkg-config")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"networks that read ECG beat pictures (development files)
libecgcnn trains convolutional networks on pictures of single heartbeats and
runs them on the processor, with OpenBLAS.

For research and teaching only. Not a medical device.

This package contains the headers, which are the manual, static libraries,
with and without training code, and files for pkg-config and CMake.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME ecgcnn-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${library_package} ${exactly}")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
"train and run networks that read ECG beat pictures
Command-line tools on libecgcnn: draw the beats of ECG recordings as pictures,
 train a convolutional network on folders of pictures, evaluate it with
 confidence intervals and audits of the data, and predict pictures or whole
recordings.

For research and teaching only. Not a medical device.")

set(CPACK_DEBIAN_MPI_PACKAGE_NAME ecgcnn-mpi)
set(CPACK_DEBIAN_MPI_PACKAGE_SECTION science)
set(CPACK_DEBIAN_MPI_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_MPI_PACKAGE_DEPENDS "${library_package} ${exactly}, ecgcnn-tools ${exactly}")
set(CPACK_COMPONENT_MPI_DESCRIPTION
"train networks that read ECG beat pictures, on many hosts
ecg-train-mpi is ecg-train of the package ecgcnn-tools, run by several processes
that share the work by MPI.

For research and teaching only. Not a medical device.")

set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_BINARY_DIR}/package/prepare.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/finish.cmake)
configure_file(${CMAKE_CURRENT_LIST_DIR}/prepare.cmake.in ${PROJECT_BINARY_DIR}/package/prepare.cmake @ONLY)
set(soname libecgcnn.so.${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/package/shlibs
  CONTENT "libecgcnn ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} ${library_package} (>= ${PROJECT_VERSION})\n")
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS lib/ecgcnn.map)
file(STRINGS ${PROJECT_SOURCE_DIR}/lib/ecgcnn.map lines REGEX "^ +ecg_|^ECGCNN_")
set(symbols "${soname} ${library_package} #MINVER#\n")
foreach(line ${lines})
  if(line MATCHES "^(ECGCNN_[0-9.]+)")
    set(node ${CMAKE_MATCH_1})
    string(APPEND symbols " ${node}@${node} ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}\n")
  elseif(line MATCHES "(ecg_[a-z0-9_]+)")
    string(APPEND symbols " ${CMAKE_MATCH_1}@${node} ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}\n")
  endif()
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/package/symbols CONTENT "${symbols}" @ONLY)

include(CPack)
