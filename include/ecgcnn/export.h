/* export.h: marks what the shared library shows to the outside. Everything else is hidden. */
#ifndef ECGCNN_EXPORT_H
#define ECGCNN_EXPORT_H

#if defined(ECG_BUILDING) && defined(__GNUC__)
#define ECG_API __attribute__((visibility("default")))
#else
#define ECG_API
#endif

#endif
