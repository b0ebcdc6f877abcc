#!/usr/bin/python3
"""One core warping gray pictures of 64 x 64 (shift, zoom, rotation, shear): this library against keras_preprocessing
(python3-keras-preprocessing), in turns.

    warp.py BENCH_WARP [ROUNDS] [SECONDS]     best and median ratio; 0 when the median is above 20
"""
import os
import statistics
import subprocess
import sys
import time
import warnings

for name in 'OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS':
    os.environ[name] = '1'
try:
    import numpy as np
    from keras_preprocessing.image import ImageDataGenerator
except ImportError as e:
    print('SKIP: %s' % e)
    sys.exit(77)
warnings.simplefilter('ignore')


def keras_rate(seconds):
    g = ImageDataGenerator(rotation_range=15, width_shift_range=0.1, height_shift_range=0.1, shear_range=10, zoom_range=0.2)
    x = (np.arange(64 * 64) * 7919 // 8 % 256).astype('f4').reshape(64, 64, 1)
    n, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for _ in range(16):
            g.random_transform(x)
        n += 16
    return n / (time.process_time() - start)


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    ratios = []
    for _ in range(rounds):
        keras = keras_rate(seconds)
        ours = float(subprocess.run([program, str(seconds)], check=True, capture_output=True, text=True).stdout)
        ratios.append(ours / keras)
        print('keras_preprocessing %.0f pictures/s, libecgcnn %.0f: %.1f times' % (keras, ours, ratios[-1]))
    median = statistics.median(ratios)
    print('median %.1f times, best %.1f' % (median, max(ratios)))
    return median <= 20


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main())
