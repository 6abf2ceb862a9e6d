package store

// The statements whose plans are tested.
const (
	ListFirst     = listSelect + listOrder
	ListAfter     = listSelect + listAfter + listOrder
	ListTotal     = listTotal
	SessionSelect = sessionSelect
	HistorySelect = historySelect
	NewestSelect  = newestSelect
	ListUp        = listSelect + listUp
	ListAbove     = listSelect + listAbove + listUp
	ItemsNewest   = visibleSelect + newestFirst
	ItemsBefore   = visibleSelect + visibleBefore + newestFirst
	ItemsAfter    = visibleSelect + visibleAfter + oldestFirst
	UsedBytes     = usedBytes
)

// The statements of one database whose plans are tested.
var (
	PostgresFailOrphans = postgresLeases.failOrphans
	PostgresRenew       = postgresLeases.renew
	SQLiteFailOrphans   = sqliteLeases.failOrphans
	SQLiteRenew         = sqliteLeases.renew

	// The plans of each database: reading a run, its list, and the active run.
	PostgresRuns = []string{postgresRuns.one, postgresRuns.first, postgresRuns.next, postgresRuns.active, cancelUpdate + "id"}
	SQLiteRuns   = []string{sqliteRuns.one, sqliteRuns.first, sqliteRuns.next, sqliteRuns.active, cancelUpdate + "id"}
)
