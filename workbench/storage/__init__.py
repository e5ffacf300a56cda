# SPDX-License-Identifier: Apache-2.0
"""Reading what others wrote: every file is checked, and bounded, before its contents are used.

``limits`` says how much memory a file may ask for, ``packed`` unpacks gzip within that,
``arrays`` reads ``.npy`` and ``.npz``, ``sparse`` makes sure that arrays are a sparse matrix,
``tables`` cuts text into columns and ``texts`` reads JSON. All refuse with a ValueError that names
the file and says what was expected.
"""
