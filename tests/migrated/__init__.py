"""What the tests of `migrate` beside a running portal start as processes: a version with more migrations than ours."""
