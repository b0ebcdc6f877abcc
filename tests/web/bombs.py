"""Pictures that claim to be more than they are."""
import struct
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, pixels, extra=b"", depth=8, colour=0):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)) + extra +
            chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def zeros(megabytes):
    z = zlib.compressobj(9)
    return b"".join([z.compress(bytes(1 << 20)) for _ in range(megabytes)]) + z.flush()


def bombs():
    """Name, bytes, and whether it is a picture within the limits after all (what surrounds its pixels is skipped)."""
    for name, data in pictures():
        yield name, data, "64 MB" in name or "10000" in name


def pictures():
    plain = zlib.compress(bytes(65 * 64))
    hidden = zeros(64)
    yield "a PNG of 60000 x 60000", png(60000, 60000, plain)
    yield "a PNG of 2^31 - 1 x 2^31 - 1", png(2**31 - 1, 2**31 - 1, plain)
    yield "a PNG of 0 x 0", png(0, 0, plain)
    yield "a PNG of 4096 x 4096 and 64 MB of zeros", png(4096, 4096, hidden)
    yield "a PNG with 64 MB behind its pixels", png(64, 64, hidden)
    yield "a PNG with a text of 64 MB", png(64, 64, plain, chunk(b"zTXt", b"a\0\0" + hidden))
    yield "a PNG with a profile of 64 MB", png(64, 64, plain, chunk(b"iCCP", b"a\0\0" + hidden))
    yield "a PNG with 10000 texts", png(64, 64, plain, chunk(b"tEXt", b"a\0b") * 10000)
    yield "a PNG whose chunk has 4 GB", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**32 - 1) + b"IHDR" + bytes(100)
    yield "a PNG of 16-bit RGBA, interlaced, cut", png(4000, 4000, plain, depth=16, colour=6)[:60]
    frame = struct.pack(">HBHHB", 11, 8, 65500, 65500, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 0, 0)
    yield "a JPEG of 65500 x 65500", b"\xff\xd8\xff\xc2" + frame + scan + bytes(50) + b"\xff\xd9"
    small = struct.pack(">HBHHB", 11, 8, 2000, 2000, 1) + b"\x01\x11\x00"
    yield "a JPEG of 20000 scans", b"\xff\xd8\xff\xc2" + small + scan * 20000 + b"\xff\xd9"
    yield "a JPEG of markers", b"\xff\xd8" + b"\xff\xfe\x00\x02" * 30000 + b"\xff\xd9"
    yield "nothing but zeros", bytes(100000)
    yield "nothing", b""
    yield "a GIF", b"GIF89a" + bytes(100)
    yield "an SVG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
