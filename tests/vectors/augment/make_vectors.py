#!/usr/bin/python3
"""Writes the augmentation vectors of this folder with keras_preprocessing 1.1 (python3-keras-preprocessing), SciPy and
Pillow: transforms with given values, standardisation, fits, the random stream, folder listings, orders and first batches
of iterators. golden_augment reads them."""
import contextlib
import io
import json
import os
import shutil
import warnings

import numpy as np
from PIL import Image
from keras_preprocessing.image import ImageDataGenerator
from scipy import ndimage

HERE = os.path.dirname(os.path.abspath(__file__))
warnings.simplefilter('ignore')


def path(*parts):
    return os.path.join(HERE, *parts)


def save(name, x):
    np.asarray(x).astype('<f4').tofile(path(name))
    return name


def shape(x):
    return 'x'.join(str(n) for n in np.asarray(x).shape)


def table(name, rows):
    columns = list(dict.fromkeys(k for row in rows for k in row))
    with open(path(name), 'w', newline='\n') as f:
        for row in [dict(zip(columns, columns))] + rows:
            f.write('\t'.join('-' if row.get(c) is None else str(row[c]) for c in columns) + '\n')


def picture(h, w, c):
    r, q, k = np.mgrid[0:h, 0:w, 0:c]
    return np.floor(128 + 90 * np.sin(r * 0.9 + k) * np.cos(q * 0.7) + (r * 31 + q * 17 + k * 7) % 37).astype('f4')


# ---- transforms ----

AFFINE = ('theta', 'tx', 'ty', 'shear', 'zx', 'zy')
NEUTRAL = dict(theta=0.0, tx=0.0, ty=0.0, shear=0.0, zx=1.0, zy=1.0)


def keras_29(x, p, fill, cval, order):
    """Centre at half - 0.5, rows and columns exchanged at the very end: not part of the package, by its formulas."""
    a, s = np.deg2rad(p['theta']), np.deg2rad(p['shear'])
    m = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    m = m @ np.array([[1, 0, p['tx']], [0, 1, p['ty']], [0, 0, 1]])
    m = m @ np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]]) @ np.diag([p['zx'], p['zy'], 1])
    there, back = np.eye(3), np.eye(3)
    there[:2, 2] = x.shape[0] / 2 - 0.5, x.shape[1] / 2 - 0.5
    back[:2, 2] = -there[:2, 2]
    q = (there @ m @ back)[[1, 0, 2]][:, [1, 0, 2]]
    return np.stack([ndimage.affine_transform(x[..., k], q[:2, :2], q[:2, 2], order=order, mode=fill, cval=cval)
                     for k in range(x.shape[2])], -1)


def transform_cases():
    cases = [('turn', 'gray', {'theta': 14.0}, {}), ('zoom', 'gray', {'zx': 0.8, 'zy': 1.25}, {}),
             ('shear', 'rgb', {'shear': 9.0, 'tx': 1.5}, {}), ('flips', 'rgb', {}, {'flip': 3}),
             ('channel', 'rgb', {}, {'channel_shift': 25.0}), ('bright', 'gray', {}, {'brightness': 0.7}),
             ('bright_rgba', 'rgba', {}, {'brightness': 1.4}), ('bright_1', 'gray', {}, {'brightness': 1.0}),
             ('wide', 'line', {'theta': -1.5, 'tx': 1.6, 'ty': -2.9, 'shear': 2.0, 'zx': 1.04, 'zy': 0.97}, {'cval': 255.0})]
    mixed = {'theta': 23.0, 'tx': 2.3, 'ty': -3.1, 'zx': 1.2, 'zy': 1.1}
    for fill in 'nearest', 'constant', 'reflect', 'wrap':
        for order in 0, 1, 3:
            cases.append(('%s_%d' % (fill, order), 'gray', mixed, {'fill': fill, 'order': order, 'cval': 17.5}))
        cases.append(('far_%s' % fill, 'gray', {'tx': 30.25, 'ty': -40.75}, {'fill': fill, 'cval': 17.5}))
    inputs = {'gray': picture(9, 12, 1), 'rgb': picture(8, 7, 3), 'rgba': picture(6, 5, 4)}
    line = np.full((20, 30, 1), 255, 'f4')
    line[(10 - 8 * np.exp(-(np.arange(30) - 14) ** 2 / 6)).astype(int), np.arange(30), 0] = 0
    inputs['line'] = line
    for name, x in inputs.items():
        save('inputs/%s.f32' % name, x)
    rows = []
    for variant in 'kp1.1.0', 'tfkeras2.9':
        for name, source, affine, o in cases:
            p = dict(NEUTRAL, **affine)
            fill, order, cval, flip = o.get('fill', 'nearest'), o.get('order', 1), o.get('cval', 0.0), o.get('flip', 0)
            x = inputs[source]
            if variant == 'kp1.1.0':
                g = ImageDataGenerator(fill_mode=fill, cval=cval, interpolation_order=order)
                y = g.apply_transform(x.copy(), dict(p, flip_horizontal=flip & 1, flip_vertical=flip >> 1,
                                                     channel_shift_intensity=o.get('channel_shift'), brightness=o.get('brightness')))
            elif not o.keys() - {'fill', 'order', 'cval'} and name in ('turn', 'zoom', 'shear', 'wide', 'reflect_3', 'constant_1'):
                y = keras_29(x, p, fill, cval, order)
            else:
                continue
            ident = name + ('_b' if variant != 'kp1.1.0' else '')
            rows.append(dict(id=ident, variant=variant, input='inputs/%s.f32' % source, in_shape=shape(x), data_format='channels_last',
                             fill_mode=fill, cval=cval, order=order, flip_horizontal=flip & 1, flip_vertical=flip >> 1,
                             channel_shift=o.get('channel_shift'), brightness=o.get('brightness'),
                             tol_abs=0.001 if affine else 0.0001, **p, output=save('outputs/%s.f32' % ident, y), out_shape=shape(y)))
    table('transform_cases.tsv', rows)


# ---- fits and standardisation ----

def fit_cases():
    n = 60
    x = np.stack([picture(3, 4, 2) * (0.5 + 0.01 * i) + 40 * np.sin(i * np.arange(24)).reshape(3, 4, 2) for i in range(n)])
    x = np.floor(x).astype('f4')
    save('inputs/fit.f32', x)
    g = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    g.fit(x)
    z = ImageDataGenerator(featurewise_center=True, zca_whitening=True, zca_epsilon=1e-2)
    z.fit(x)
    rows = []
    for stat, value, eps in ('mean', g.mean, None), ('std', g.std, None), ('zca', z.principal_components, 1e-2):
        rows.append(dict(id='fit_' + stat, input='inputs/fit.f32', in_shape=shape(x), stat=stat, zca_epsilon=eps, variant='kp1.1.0',
                         tol_abs=1e-3 if stat != 'zca' else 1e-5, output=save('outputs/fit_%s.f32' % stat, value), out_shape=shape(value)))
    table('fit_cases.tsv', rows)
    one = picture(3, 4, 2)
    save('inputs/one.f32', one)
    rows = []
    for name, pre, o in (('rescale', 0, dict(rescale=1 / 255)), ('invert', 1, dict(rescale=0.5)),
                         ('samplewise', 0, dict(samplewise_center=True, samplewise_std_normalization=True)),
                         ('featurewise', 0, dict(featurewise_center=True, featurewise_std_normalization=True)),
                         ('zca', 0, dict(featurewise_center=True, zca_whitening=True))):
        k = ImageDataGenerator(preprocessing_function=(lambda v: 255 - v) if pre else None, **o)
        k.mean, k.std, k.principal_components = g.mean, g.std, z.principal_components
        y = k.standardize(one.copy())
        rows.append(dict(id='standardize_' + name, input='inputs/one.f32', in_shape=shape(one), preprocessing='invert255' if pre else 'none',
                         rescale=o.get('rescale', 0.0), samplewise_center=int(k.samplewise_center), samplewise_std=int(k.samplewise_std_normalization),
                         featurewise_center=int(k.featurewise_center), featurewise_std=int(k.featurewise_std_normalization),
                         zca=int(k.zca_whitening), mean='outputs/fit_mean.f32', std='outputs/fit_std.f32', zca_matrix='outputs/fit_zca.f32',
                         tol_abs=1e-3, output=save('outputs/standardize_%s.f32' % name, y), out_shape=shape(y)))
    table('standardize_cases.tsv', rows)


# ---- the random stream ----

def rng_cases():
    arguments = [{}, {'rotation_range': 12, 'zoom_range': 0.3, 'horizontal_flip': True},
                 {'width_shift_range': 5, 'height_shift_range': [-2, 3]}, {'width_shift_range': 1.0, 'height_shift_range': 0.25},
                 {'shear_range': 4.5, 'zoom_range': [0.5, 0.75], 'vertical_flip': True, 'channel_shift_range': 3.5,
                  'brightness_range': [0.25, 2.0]}]
    rows = []
    for i, a in enumerate(arguments):
        for seed in 0, 4294967295:
            np.random.seed(seed)
            p = ImageDataGenerator(**a).get_random_transform((40, 56, 1))
            rows.append(dict(id='draw_%d_%d' % (i, seed), arguments=json.dumps(a), seed=seed, height=40, width=56,
                             **{k: None if v is None else float(v) for k, v in p.items()}))
    table('rng_cases.tsv', rows)
    rows = []
    for seed, n in (5, 1), (5, 2), (6, 40):
        np.random.seed(seed)
        rows.append(dict(id='permutation_%d' % n, seed=seed, n=n, permutation=','.join(map(str, np.random.permutation(n)))))
    table('permutation_cases.tsv', rows)


# ---- folders ----

FILES = ['B/x.png', 'a/nodotpng', 'a/UP.PNG', 'a/sub-1/q.png', 'a/sub/k/n.png', 'a/sub/y.png', 'b/2.png', 'b/10.png', 'b/.h.png', '.hid/z.png']


def make_tree():
    shutil.rmtree(path('tree'), ignore_errors=True)
    for i, name in enumerate(FILES):
        os.makedirs(path('tree', os.path.dirname(name)), exist_ok=True)
        Image.fromarray(np.roll(picture(8, 10, 1)[..., 0], i, 1).astype(np.uint8)).save(path('tree', name), format='PNG')
    with open(path('tree', 'a', 'notes.txt'), 'w') as f:
        f.write('no picture\n')


def flow(g, **o):
    with contextlib.redirect_stdout(io.StringIO()):
        return g.flow_from_directory(path('tree'), target_size=(6, 6), color_mode='grayscale', interpolation='bilinear', **o)


def folder_cases():
    rows = []
    for name, generator, o in (('all', {}, {}), ('training', {'validation_split': 0.4}, {'subset': 'training'}),
                               ('validation', {'validation_split': 0.4}, {'subset': 'validation'}),
                               ('classes', {}, {'classes': ['b', 'missing', 'B']})):
        it = flow(ImageDataGenerator(**generator), **o)
        rows.append(dict(id='directory_' + name, directory='tree', generator=json.dumps(generator), flow=json.dumps(o),
                         class_indices=json.dumps(it.class_indices), filenames=json.dumps(it.filenames),
                         classes=','.join(str(c) for c in it.classes)))
    table('directory_cases.tsv', rows)
    orders, batches = [], []
    for protocol in 'next', 'getitem':
        it = flow(ImageDataGenerator(rotation_range=8, width_shift_range=2, zoom_range=0.2, rescale=0.5), seed=3, batch_size=4)
        seen, inner = [], it._get_batches_of_transformed_samples
        it._get_batches_of_transformed_samples = lambda ix: (seen.append([int(v) for v in ix]), inner(ix))[1]
        first = None
        for _ in range(2):
            for b in range(len(it)):
                out = next(it) if protocol == 'next' else it[b]
                first = first or out
            if protocol == 'getitem':
                it.on_epoch_end()
        orders.append(dict(id='order_' + protocol, directory='tree', protocol=protocol, seed=3, batch_size=4, n=it.n, batches=json.dumps(seen)))
        for kind, v in zip('xy', first):
            ident = 'iterator_%s_%s' % (protocol, kind)
            row = dict(id=ident, directory='tree', seed=3, batch_size=4)
            if kind == 'x':
                row.update(target_h=6, target_w=6, color_mode='grayscale', interpolation='bilinear', rotation_range=8,
                           width_shift_range=2, zoom_range=0.2, rescale=0.5)
            row.update(tol_abs=1e-3 if kind == 'x' else 0.0, output=save('outputs/%s.f32' % ident, v), out_shape=shape(v),
                       class_mode=None if kind == 'x' else 'categorical')
            batches.append(row)
    table('iterator_order_cases.tsv', orders)
    table('iterator_cases.tsv', batches)


for folder in 'inputs', 'outputs':
    shutil.rmtree(path(folder), ignore_errors=True)
    os.makedirs(path(folder))
make_tree()
transform_cases()
fit_cases()
rng_cases()
folder_cases()
