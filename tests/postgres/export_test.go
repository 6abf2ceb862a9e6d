package postgres

// ErrNotInstalled says what to install.
var ErrNotInstalled = errNotInstalled

// SearchPathOnly limits the search for the programs to PATH, until restore.
func SearchPathOnly() (restore func()) {
	before := usualFolders
	usualFolders = nil
	return func() { usualFolders = before }
}
