#!/usr/bin/python3
"""Writes the image vectors of this folder with Pillow (9.4): what Keras' load_img makes of small pictures, and
resizes of 8-bit pictures with each filter. golden_image reads them."""
import os
import struct
import zlib

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
FILTERS = {'nearest': Image.NEAREST, 'box': Image.BOX, 'bilinear': Image.BILINEAR,
           'hamming': Image.HAMMING, 'bicubic': Image.BICUBIC, 'lanczos': Image.LANCZOS}
MODES = {'grayscale': 'L', 'rgb': 'RGB', 'rgba': 'RGBA'}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def path(*parts):
    return os.path.join(HERE, *parts)


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def write_png(name, samples, depth, color_type, palette=b'', key=b'', interlaced=False):
    """samples: [h][w][n] as stored. Rows are unfiltered."""
    h, w, n = samples.shape
    rows = b''
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y0::dy, x0::dx]
        if part.size == 0:
            continue
        for row in part:
            bits = (row.ravel()[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            rows += b'\0' + np.packbits(bits.astype(np.uint8).ravel()).tobytes()
    data = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, depth, color_type, 0, 0, interlaced))
    if palette:
        data += chunk(b'PLTE', palette)
    if key:
        data += chunk(b'tRNS', key)
    data += chunk(b'IDAT', zlib.compress(rows, 9)) + chunk(b'IEND', b'')
    with open(path('images', name), 'wb') as f:
        f.write(data)


def write_images():
    r, c = np.mgrid[0:6, 0:9]
    s = np.stack([(r * 9 + c) * 1201, (r * 9 + c) * 3407 % 65536, 65535 - r * 9000, c * 8191], -1)
    write_png('gray4.png', ((r + 2 * c) % 16)[..., None], 4, 0)
    write_png('gray16.png', (r * 9 + c)[..., None] * 8, 16, 0)
    write_png('gray8_key.png', ((r + c) % 4)[..., None] * 60, 8, 0, key=struct.pack('>H', 120))
    write_png('grayalpha8.png', s[..., [0, 3]] >> 8, 8, 4)
    write_png('palette2.png', ((r * c) % 4)[..., None], 2, 3, palette=bytes(range(10, 250, 20)), key=b'\x00\x80')
    write_png('rgb8_adam7.png', s[..., :3] >> 8, 8, 2, interlaced=True)
    write_png('rgba16.png', s, 16, 6)
    r, c = np.mgrid[0:19, 0:26]
    photo = np.stack([128 + 90 * np.sin(r / 4) * np.cos(c / 5), 12 * r + 3, 250 - 9 * c + 0 * r], -1)
    photo = photo.clip(0, 255).astype(np.uint8)
    Image.fromarray(photo).save(path('images', 'rgb_420.jpg'), quality=85, subsampling=2)
    Image.fromarray(photo).save(path('images', 'rgb_progressive.jpg'), quality=80, progressive=True)
    Image.fromarray(photo[..., 0]).save(path('images', 'gray.jpg'), quality=75)
    cmyk = np.concatenate([photo, photo[..., :1] // 3], -1)
    Image.fromarray(cmyk, 'CMYK').save(path('images', 'cmyk.jpg'), quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo[..., 1]).save(path('images', 'gray_turned.jpg'), quality=75, exif=exif)


def save(name, image):
    pixels = np.asarray(image)
    pixels = pixels.reshape(pixels.shape[0], pixels.shape[1], -1)
    pixels.astype('<f4').tofile(path(name))
    return '%dx%dx%d' % pixels.shape


def table(name, columns, rows):
    with open(path(name), 'w', newline='\n') as f:
        for row in [columns] + rows:
            f.write('\t'.join(str(v) for v in row) + '\n')


def load_cases():
    cases = [('gray4.png', 'grayscale'), ('gray16.png', 'grayscale'), ('gray8_key.png', 'grayscale'),
             ('gray8_key.png', 'rgba'), ('grayalpha8.png', 'grayscale'), ('grayalpha8.png', 'rgba'),
             ('palette2.png', 'grayscale'), ('palette2.png', 'rgba'), ('rgb8_adam7.png', 'rgb'),
             ('rgba16.png', 'rgba'), ('rgba16.png', 'grayscale'), ('rgb_420.jpg', 'rgb'),
             ('rgb_progressive.jpg', 'grayscale'), ('gray.jpg', 'grayscale'), ('cmyk.jpg', 'rgb'),
             ('gray_turned.jpg', 'grayscale'), ('rgb_420.jpg', 'grayscale', 12, 10, 'bilinear')]
    rows = []
    for case in cases:
        file, color, h, w, name = (case + (0, 0, 'nearest'))[:5] if len(case) == 2 else case
        image = Image.open(path('images', file))
        if image.mode != MODES[color]:
            image = image.convert(MODES[color])
        if h:
            image = image.resize((w, h), FILTERS[name])
        ident = 'load_%s_%s' % (file.replace('.', '_'), color) + ('_%dx%d' % (h, w) if h else '')
        output = 'outputs/%s.f32' % ident
        shape = save(output, image)
        tolerance = 1 if file.endswith('.jpg') else 0
        rows.append([ident, 'images/' + file, color, h, w, name, 0, tolerance, output, shape])
    table('load_cases.tsv', ['id', 'file', 'color_mode', 'target_h', 'target_w', 'interpolation', 'optional_format',
                             'tol_abs', 'output', 'out_shape'], rows)


def resize_cases():
    r, c = np.mgrid[0:11, 0:14]
    gray = ((r * 37 + c * 91) % 256).astype(np.uint8)
    rgba = np.stack([gray, 255 - gray, gray // 2, (r * 23 + c * 5) % 256], -1).astype(np.uint8)
    rows = []
    for label, pixels in ('gray', gray), ('rgba', rgba):
        source = 'inputs/%s.f32' % label
        in_shape = save(source, pixels)
        for name, number in FILTERS.items():
            h, w = (7, 5) if label == 'gray' else (16, 9)
            ident = 'resize_%s_%s_%dx%d' % (label, name, h, w)
            output = 'outputs/%s.f32' % ident
            shape = save(output, Image.fromarray(pixels).resize((w, h), number))
            rows.append([ident, source, in_shape, h, w, name, 0, output, shape])
    table('resize_cases.tsv', ['id', 'input', 'in_shape', 'target_h', 'target_w', 'interpolation', 'tol_abs', 'output',
                               'out_shape'], rows)


for folder in 'images', 'inputs', 'outputs':
    os.makedirs(path(folder), exist_ok=True)
write_images()
load_cases()
resize_cases()
