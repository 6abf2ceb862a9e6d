package postgres

import "runtime"

// onOwnThread runs f on an operating system thread that nothing else uses and
// that ends with f.
func onOwnThread(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f()
}
