package image

import "encoding/binary"

// readEXIF reads orientation and resolution from the first directory of an EXIF
// block (TIFF 6.0, section 2). What does not fit is passed over.
func (d *Dimensions) readEXIF(b []byte) {
	var order binary.ByteOrder = binary.LittleEndian
	if string(b[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return
	}
	count := int64(order.Uint16(b[at:]))
	var resolution float64
	unit := 2
	for i := range count {
		e := at + 2 + 12*i
		if e+12 > int64(len(b)) {
			break
		}
		value := int64(order.Uint32(b[e+8:]))
		switch order.Uint16(b[e:]) {
		case 0x0112:
			if o := int(order.Uint16(b[e+8:])); o >= 1 && o <= 8 {
				d.Orientation = o
			}
		case 0x011A:
			if value+8 <= int64(len(b)) {
				if den := order.Uint32(b[value+4:]); den != 0 {
					resolution = float64(order.Uint32(b[value:])) / float64(den)
				}
			}
		case 0x0128:
			unit = int(order.Uint16(b[e+8:]))
		}
	}
	if d.DPI == 0 && resolution > 0 {
		switch unit {
		case 2:
			d.DPI = resolution
		case 3:
			d.DPI = resolution * 2.54
		}
	}
}
