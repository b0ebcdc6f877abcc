# Run by cpack when the packages are made: scripts that it adds to the library's are taken out again. All they do is call
# ldconfig, which is what the trigger is for.
foreach(package ${CPACK_PACKAGE_FILES})
  if(package MATCHES "/libecgcnn[0-9.]+_[^/]*\\.deb$")
    set(tree ${CPACK_TEMPORARY_DIRECTORY}/finished)
    file(REMOVE_RECURSE ${tree})
    execute_process(COMMAND dpkg-deb -R ${package} ${tree} COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE ${tree}/DEBIAN/postinst ${tree}/DEBIAN/postrm)
    execute_process(COMMAND dpkg-deb --root-owner-group -Zxz -b ${tree} ${package} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE_RECURSE ${tree})
  endif()
endforeach()
