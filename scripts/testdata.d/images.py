"""Pictures of certificates, in every kind of JPEG and PNG that offices send."""

import subprocess

from PIL import Image

import layout

DPI = 100


def draw(page, work, opacity=1):
    """The certificate as a picture of 100 dots an inch."""
    (work / "source.svg").write_text(
        layout.fill("certificate.svg", layout.escape_xml, page.values() | {"opacity": opacity}), encoding="utf-8")
    subprocess.run(["rsvg-convert", "-z", str(DPI / 72 * 0.75), "-o", work / "drawn.png", work / "source.svg"], check=True)
    return Image.open(work / "drawn.png")


def on_white(picture):
    picture = picture.convert("RGBA")
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def scan(page, work):
    """A slightly crooked scan of the certificate, as a file."""
    picture = on_white(draw(page, work)).rotate(0.7, resample=Image.Resampling.BICUBIC, fillcolor="#f4f2ee")
    picture.save(work / "scan.png")
    return work / "scan.png"


def jpeg(page, work, out, **options):
    on_white(draw(page, work)).save(out, "JPEG", quality=80, dpi=(DPI, DPI), **options)


def jpeg_progressive(page, work, out):
    jpeg(page, work, out, progressive=True)


def turned(orientation, transpose):
    """A maker of JPEGs whose pixels lie turned and whose EXIF says so."""
    def make(page, work, out):
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F], exif[0x0110] = "Example", "Pocket Scanner"
        on_white(draw(page, work)).transpose(transpose).save(out, "JPEG", quality=80, exif=exif)
    return make


def jpeg_grey(page, work, out):
    on_white(draw(page, work)).convert("L").save(out, "JPEG", quality=75, dpi=(DPI, DPI))


def jpeg_cmyk(page, work, out):
    on_white(draw(page, work)).convert("CMYK").save(out, "JPEG", quality=80, dpi=(DPI, DPI))


def png(page, work, out):
    on_white(draw(page, work)).save(out, dpi=(DPI, DPI), optimize=True)


def png_alpha(page, work, out):
    draw(page, work, opacity=0).save(out, optimize=True)


def png_palette(page, work, out):
    on_white(draw(page, work)).quantize(32).save(out, optimize=True)


def png_interlaced(page, work, out):
    convert(page, work, out, "-interlace", "PNG", "-define", "png:color-type=2")


def png_16bit(page, work, out):
    convert(page, work, out, "-depth", "16", "-define", "png:bit-depth=16", "-define", "png:color-type=2",
            "-evaluate", "multiply", "0.9971")


def png_bilevel(page, work, out):
    on_white(draw(page, work)).convert("1", dither=Image.Dither.NONE).save(out, optimize=True, dpi=(DPI, DPI))


def convert(page, work, out, *options):
    on_white(draw(page, work)).save(work / "plain.png")
    subprocess.run(["convert", work / "plain.png", "-strip", *options, out], check=True)


MAKERS = {f.__name__: f for f in (jpeg, jpeg_progressive, jpeg_grey, jpeg_cmyk, png, png_alpha, png_palette,
                                  png_interlaced, png_16bit, png_bilevel)}
MAKERS["jpeg_exif6"] = turned(6, Image.Transpose.ROTATE_90)
MAKERS["jpeg_exif3"] = turned(3, Image.Transpose.ROTATE_180)
