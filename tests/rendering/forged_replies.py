"""Scripts that write replies of their own making, and what must hold; see `hostile_scripts`. Not a test itself."""

from __future__ import annotations

from hostile_scripts import BAD, BLANK, ERROR, OK, OVER, Attack

_FORGE = """
import io, json, os, struct, zlib
from PIL import Image
def forge(report, body=b''):
    data = report if isinstance(report, bytes) else json.dumps(report).encode()
    data = memoryview(struct.pack('<II', len(data), len(body)) + data + body)
    while data:
        data = data[os.write(3, data):]
    os._exit(0)
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
def png(width, height, mode='RGB'):
    image, file = Image.new(mode, (width, height)), io.BytesIO()
    image.putpixel((0, 0), (9, 9, 9) if mode == 'RGB' else 1)
    image.save(file, 'PNG')
    return file.getvalue()
"""


def _forged(body: str) -> str:
    """A script that can write replies."""
    return _FORGE + body


FORGED = {
    "forged_nesting": Attack(
        "a report of 7 MiB of brackets is no report",
        (BAD,),
        _forged(r"""
forge(b'[' * (7 << 20))
"""),
    ),
    "forged_numbers": Attack(
        "numbers beyond all bounds in a report are passed over",
        (BLANK,),
        _forged(r"""
forge({'outcome': 'no_figure', 'seconds': {'script': 10**400, 'draw': float('nan')}})
"""),
    ),
    "forged_timeout": Attack(
        "a script may say that it is over time",
        (OVER,),
        _forged(r"""
forge({'outcome': 'timeout'})
"""),
    ),
    "forged_error": Attack(
        "an error is kept in bounds and can be stored",
        (ERROR, BAD),
        _forged(r"""
forge({'outcome': 'error', 'error': {'type': '\ud800' + 'x' * 10**6, 'message': 'm' * 10**6, 'line': 10**40}})
"""),
    ),
    "forged_texts": Attack(
        "texts of the wrong shape teach nothing",
        (BLANK,),
        _forged(r"""
f = ['$x$' * 9**6, 1e400, ['\ud800'], None, {}, [], -1, 'x', 10**400]
forge({'outcome': 'no_figure', 'texts': [f] * 9 + [None, 1, [['$x$', 100.0]]] + f})
"""),
    ),
    "forged_drawing": Attack(
        "a drawing of 100,000 false texts is cut",
        (OK,),
        _forged(r"""
box = {'cx': 1e308, 'cy': float('nan'), 'width': -1, 'height': 10**400, 'angle': 'x'}
image = png(9, 9)
texts = [{'text': 'x', 'size': 9.0, 'box': box}] * 10**5
forge({'outcome': 'drawn', 'sizes': [len(image)], 'drawing': {'texts': texts[:50000], 'figures': -1}}, image)
"""),
    ),
    "forged_sizes": Attack(
        "sizes that do not add up reach no other bytes",
        (BAD, OK),
        _forged(r"""
forge({'outcome': 'drawn', 'sizes': [-1, 10**30]}, png(9, 9))
"""),
    ),
    "png_bomb": Attack(
        "a picture of a few bytes and 10,000 million pixels is not decoded",
        (BAD,),
        _forged(r"""
bomb = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 10**5, 10**5, 1, 0, 0, 0, 0))
bomb += chunk(b'IDAT', zlib.compress(bytes(10**6))) + chunk(b'IEND', b'')
forge({'outcome': 'drawn', 'sizes': [len(bomb)], 'drawing': {}}, bomb)
"""),
    ),
    "png_text_bomb": Attack(
        "a text of 100 MB packed into a picture is not unpacked",
        (BAD, OK),
        _forged(r"""
image = png(9, 9)
image = image[:33] + chunk(b'zTXt', b'a\0\0' + zlib.compress(bytes(10**8))) + image[33:]
forge({'outcome': 'drawn', 'sizes': [len(image)], 'drawing': {}}, image)
"""),
    ),
    "png_cut_off": Attack(
        "a picture that is cut off is none",
        (BAD,),
        _forged(r"""
image = png(500, 500)[:-40]
forge({'outcome': 'drawn', 'sizes': [len(image)]}, image)
"""),
    ),
}
