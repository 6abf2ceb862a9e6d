package database_test

import (
	"os"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }
