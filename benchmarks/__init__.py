"""Speed side by side: Alphard, a floor, a service written by hand, and the peers. Never part of the tests."""
