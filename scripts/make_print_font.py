#!/usr/bin/env python3
"""Makes the font that printed documents use: a static subset of Noto Serif CJK SC.

Needs fontTools, the Debian packages fonts-noto-cjk (the font, SIL OFL 1.1) and unicode-data (the
list of 通用规范汉字). The result is the same for the same versions of these three.

    scripts/make_print_font.py /usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc
"""

import bz2
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = Path(__file__).resolve().parent.parent / "invoice-api" / "print" / "fonts"
FAMILY = "Piaolian Song"
UNIHAN = "/usr/share/unicode/Unihan_OtherMappings.txt.bz2"


def gb2312():
    """The 6,763 hanzi of levels 1 and 2 and the symbols of rows 1 to 9."""
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield ord(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                continue


def common_traditional():
    """The 5,401 frequent hanzi of Big5."""
    for lead in range(0xA4, 0xC7):
        for trail in [*range(0x40, 0x7F), *range(0xA1, 0xFF)]:
            try:
                yield ord(bytes([lead, trail]).decode("big5"))
            except UnicodeDecodeError:
                continue


def standard_characters():
    """通用规范汉字表 (2013), 8,105 hanzi: its third level is for names of people and places."""
    with bz2.open(UNIHAN, "rt", encoding="utf-8") as lines:
        for line in lines:
            fields = line.split("\t")
            if len(fields) == 3 and fields[1] == "kTGH":
                yield int(fields[0][2:], 16)


# Characters that names bear and no list above has.
OTHERS = "堃喆昇珺頔玥翀祎旻犇淼垚燊龑赟甯瑨彧暐璟曌囍⊗〓￥¥€√×÷±°²³㎡㎥℃‰℡№①②③④⑤⑥⑦⑧⑨⑩—–…·“”‘’★☆●○■□▲△◆◇→←↑↓"


def main():
    collection = TTCollection(sys.argv[1])
    font = next(f for f in collection.fonts if f["name"].getDebugName(1) == "Noto Serif CJK SC")
    wanted = set(range(0x20, 0x7F)) | set(range(0xA1, 0x100)) | set(range(0xFF01, 0xFF5F))
    wanted |= set(gb2312()) | set(common_traditional()) | set(standard_characters())
    wanted |= {ord(c) for c in OTHERS}
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    # A modified version bears a name of its own.
    for record in list(font["name"].names):
        if record.platformID != 3 or record.langID != 0x409:
            font["name"].removeNames(platformID=record.platformID, langID=record.langID)
    for name_id, text in {1: FAMILY, 3: FAMILY + " 1", 4: FAMILY, 6: FAMILY.replace(" ", "")}.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames[0] = FAMILY.replace(" ", "")
    HERE.mkdir(exist_ok=True)
    path = HERE / "PiaolianSong-Regular.otf"
    font.save(path, reorderTables=True)
    print(f"{path.name}: {len(font.getBestCmap())} characters, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
