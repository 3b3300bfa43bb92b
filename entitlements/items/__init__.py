"""Line items as readers see them: predicates, checks, rows, lists, search, locks and history."""
