"""Tests of the target trial by clones."""
