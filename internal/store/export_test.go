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
	FailOthers    = failOthers
	FailExpired   = failExpired
	RenewLeases   = renewLeases
	UsedBytes     = usedBytes
)
