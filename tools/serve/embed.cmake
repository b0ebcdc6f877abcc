# Files as byte arrays of a C source, so that the server needs none of them when it runs.
#
#     cmake -DOUTPUT=assets_data.c -DFILES=a.html,b.css -P embed.cmake
#
# defines embedded_files[] of embedded.h, in this order, by the names without their folders.
string(REPLACE "," ";" files "${FILES}")
set(arrays "")
set(rows "")
set(n 0)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" hex HEX)
  file(SIZE "${file}" size)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
    bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${n}[] = {\n${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", file_${n}, ${size}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE "${OUTPUT}.new"
  "#include \"serve/embedded.h\"\n\n${arrays}\nconst embedded_file embedded_files[] = {\n${rows}    {0, 0, 0},\n};\n")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
