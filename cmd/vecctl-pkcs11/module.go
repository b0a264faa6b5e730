//go:build linux || darwin

package main

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ulong is CK_ULONG: a C long, which is as wide as a pointer on Linux and macOS.
type ulong = uintptr

// Constants of PKCS#11 2.40.
const (
	classCertificate = 1
	classPrivateKey  = 3

	attrClass              = 0x0
	attrLabel              = 0x3
	attrValue              = 0x11
	attrKeyType            = 0x100
	attrID                 = 0x102
	attrSign               = 0x108
	attrAlwaysAuthenticate = 0x202

	keyRSA = 0
	keyEC  = 3

	mechanismRSA   = 0x1 // PKCS #1, version 1.5
	mechanismECDSA = 0x1041

	flagSerialSession = 4
	flagOSLocking     = 2
	userNormal        = 1
	userContext       = 2
	unavailableLength = ^ulong(0)
)

// returnValue is a CK_RV.
type returnValue uint32

// Values that are handled, or that people meet.
const (
	returnOK              = 0x0
	returnAlreadyLoggedIn = 0x100
	returnInitialized     = 0x191
)

var returnNames = map[returnValue]string{
	0x2: "CKR_HOST_MEMORY", 0x3: "CKR_SLOT_ID_INVALID", 0x5: "CKR_GENERAL_ERROR", 0x6: "CKR_FUNCTION_FAILED", 0x7: "CKR_ARGUMENTS_BAD",
	0x12: "CKR_ATTRIBUTE_TYPE_INVALID", 0x20: "CKR_DATA_INVALID", 0x21: "CKR_DATA_LEN_RANGE", 0x30: "CKR_DEVICE_ERROR", 0x31: "CKR_DEVICE_MEMORY",
	0x32: "CKR_DEVICE_REMOVED", 0x54: "CKR_FUNCTION_NOT_SUPPORTED", 0x60: "CKR_KEY_HANDLE_INVALID", 0x63: "CKR_KEY_TYPE_INCONSISTENT",
	0x68: "CKR_KEY_FUNCTION_NOT_PERMITTED", 0x70: "CKR_MECHANISM_INVALID", 0x82: "CKR_OBJECT_HANDLE_INVALID", 0x90: "CKR_OPERATION_ACTIVE",
	0x91: "CKR_OPERATION_NOT_INITIALIZED", 0xA0: "CKR_PIN_INCORRECT", 0xA1: "CKR_PIN_INVALID", 0xA2: "CKR_PIN_LEN_RANGE", 0xA3: "CKR_PIN_EXPIRED",
	0xA4: "CKR_PIN_LOCKED", 0xB0: "CKR_SESSION_CLOSED", 0xB1: "CKR_SESSION_COUNT", 0xB3: "CKR_SESSION_HANDLE_INVALID", 0xE0: "CKR_TOKEN_NOT_PRESENT",
	0xE1: "CKR_TOKEN_NOT_RECOGNIZED", 0x101: "CKR_USER_NOT_LOGGED_IN", 0x102: "CKR_USER_PIN_NOT_INITIALIZED", 0x150: "CKR_BUFFER_TOO_SMALL",
	0x190: "CKR_CRYPTOKI_NOT_INITIALIZED",
}

func (r returnValue) Error() string {
	if name, ok := returnNames[r]; ok {
		return name
	}
	return fmt.Sprintf("CKR 0x%X", uint32(r))
}

// isOfPIN reports whether the PIN is wrong, or cannot be used.
func (r returnValue) isOfPIN() bool { return r >= 0xA0 && r <= 0xA4 }

// attribute is a CK_ATTRIBUTE.
type attribute struct {
	kind   ulong
	value  unsafe.Pointer
	length ulong
}

// mechanism is a CK_MECHANISM.
type mechanism struct {
	kind      ulong
	parameter unsafe.Pointer
	length    ulong
}

// initializeArgs is a CK_C_INITIALIZE_ARGS.
type initializeArgs struct {
	mutexes  [4]uintptr
	flags    ulong
	reserved unsafe.Pointer
}

// tokenInfo is a CK_TOKEN_INFO.
type tokenInfo struct {
	label, manufacturer [32]byte
	model, serial       [16]byte
	flags               ulong
	counts              [10]ulong
	versions            [4]byte
	utcTime             [16]byte
}

func (i tokenInfo) labelText() string  { return strings.TrimRight(string(i.label[:]), " \x00") }
func (i tokenInfo) serialText() string { return strings.TrimRight(string(i.serial[:]), " \x00") }

// functionList is a CK_FUNCTION_LIST.
type functionList struct {
	_         [2]byte // version
	functions [68]uintptr
}

// module is a PKCS#11 library that is loaded and initialised.
type module struct {
	initialize    func(args unsafe.Pointer) ulong
	finalize      func(reserved unsafe.Pointer) ulong
	getSlotList   func(present uint8, slots, count unsafe.Pointer) ulong
	getTokenInfo  func(slot ulong, info unsafe.Pointer) ulong
	openSession   func(slot, flags ulong, application, notify, session unsafe.Pointer) ulong
	closeSession  func(session ulong) ulong
	login         func(session, user ulong, pin unsafe.Pointer, length ulong) ulong
	getAttributes func(session, object ulong, template unsafe.Pointer, count ulong) ulong
	findInit      func(session ulong, template unsafe.Pointer, count ulong) ulong
	find          func(session ulong, objects unsafe.Pointer, most ulong, count unsafe.Pointer) ulong
	findFinal     func(session ulong) ulong
	signInit      func(session ulong, mechanism unsafe.Pointer, key ulong) ulong
	signData      func(session ulong, data unsafe.Pointer, length ulong, signature, size unsafe.Pointer) ulong
}

// loadModule loads a PKCS#11 library.
func loadModule(path string) (*module, error) {
	library, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("the module %s cannot be loaded: %w", path, err)
	}
	entry, err := purego.Dlsym(library, "C_GetFunctionList")
	if err != nil {
		return nil, fmt.Errorf("%s is no PKCS#11 module: %w", path, err)
	}
	var getFunctionList func(list unsafe.Pointer) ulong
	purego.RegisterFunc(&getFunctionList, entry)
	var list *functionList
	if r := getFunctionList(unsafe.Pointer(&list)); r != returnOK || list == nil {
		return nil, fmt.Errorf("the module %s does not begin: %w", path, returnValue(r))
	}
	m := &module{}
	for at, f := range map[int]any{
		0: &m.initialize, 1: &m.finalize, 4: &m.getSlotList, 6: &m.getTokenInfo, 12: &m.openSession, 13: &m.closeSession, 18: &m.login,
		24: &m.getAttributes, 26: &m.findInit, 27: &m.find, 28: &m.findFinal, 42: &m.signInit, 43: &m.signData,
	} {
		if list.functions[at] == 0 {
			return nil, fmt.Errorf("the module %s lacks function %d of PKCS#11", path, at)
		}
		purego.RegisterFunc(f, list.functions[at])
	}
	args := &initializeArgs{flags: flagOSLocking}
	if r := m.initialize(unsafe.Pointer(args)); r != returnOK && r != returnInitialized {
		return nil, fmt.Errorf("the module %s does not begin: %w", path, returnValue(r))
	}
	return m, nil
}

// check is the error of a call.
func check(what string, r ulong) error {
	if r == returnOK {
		return nil
	}
	return fmt.Errorf("%s: %w", what, returnValue(r))
}

// slots lists the slots that have a token.
func (m *module) slots() ([]ulong, error) {
	var n ulong
	if err := check("list the tokens", m.getSlotList(1, nil, unsafe.Pointer(&n))); err != nil || n == 0 {
		return nil, err
	}
	all := make([]ulong, n)
	err := check("list the tokens", m.getSlotList(1, unsafe.Pointer(&all[0]), unsafe.Pointer(&n)))
	return all[:min(int(n), len(all))], err
}

// objects finds the objects of a class.
func (m *module) objects(session, class ulong) (all []ulong, err error) {
	template := []attribute{{attrClass, unsafe.Pointer(&class), unsafe.Sizeof(class)}}
	if err := check("look for objects", m.findInit(session, unsafe.Pointer(&template[0]), 1)); err != nil {
		return nil, err
	}
	defer m.findFinal(session)
	for {
		var some [64]ulong
		var n ulong
		if err := check("look for objects", m.find(session, unsafe.Pointer(&some[0]), ulong(len(some)), unsafe.Pointer(&n))); err != nil || n == 0 {
			return all, err
		}
		all = append(all, some[:min(int(n), len(some))]...)
	}
}

// attribute returns an attribute of an object; nil where it has none.
func (m *module) attribute(session, object, kind ulong) []byte {
	template := []attribute{{kind: kind}}
	if m.getAttributes(session, object, unsafe.Pointer(&template[0]), 1) != returnOK || template[0].length == unavailableLength || template[0].length == 0 {
		return nil
	}
	value := make([]byte, template[0].length)
	template[0].value = unsafe.Pointer(&value[0])
	if m.getAttributes(session, object, unsafe.Pointer(&template[0]), 1) != returnOK || template[0].length > ulong(len(value)) {
		return nil
	}
	runtime.KeepAlive(value)
	return value[:template[0].length]
}

// number returns an attribute that is a CK_ULONG.
func (m *module) number(session, object, kind ulong) (n ulong, ok bool) {
	value := m.attribute(session, object, kind)
	if len(value) != int(unsafe.Sizeof(n)) {
		return 0, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&n)), len(value)), value)
	return n, true
}

// isTrue reports whether an attribute is set.
func (m *module) isTrue(session, object, kind ulong) bool {
	value := m.attribute(session, object, kind)
	return len(value) == 1 && value[0] != 0
}
