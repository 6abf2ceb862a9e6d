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

	PostgresRuns = runStatementsForPlans(postgresRuns)
	SQLiteRuns   = runStatementsForPlans(sqliteRuns)
)

// RunStatements are the statements that read and cancel runs.
type RunStatements struct{ One, First, Next, Active, Cancel string }

func runStatementsForPlans(s runStatements) RunStatements {
	return RunStatements{One: s.one, First: s.first, Next: s.next, Active: s.active, Cancel: cancelUpdate + "id"}
}
