package database

// Classify is tested with the errors of real databases.
var Classify = classify
