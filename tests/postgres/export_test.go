package postgres

// ErrNotInstalled says what to do on a machine without PostgreSQL.
var ErrNotInstalled = errNotInstalled

// LookNowhere leaves PATH alone to find the programs by, until restore.
func LookNowhere() (restore func()) {
	before := usualFolders
	usualFolders = nil
	return func() { usualFolders = before }
}
