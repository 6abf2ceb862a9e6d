package store

// The statements whose plans are tested.
const (
	ListFirst     = listSelect + listOrder
	ListAfter     = listSelect + listAfter + listOrder
	ListTotal     = listTotal
	SessionSelect = sessionSelect
	HistorySelect = historySelect
	NewestSelect  = newestSelect
	FailOthers    = failOthers
	FailExpired   = failExpired
	RenewLeases   = renewLeases
)
