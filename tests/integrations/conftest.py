"""Lets the asserts of the shared suite say what they compared, as those of a test module do."""

import pytest

pytest.register_assert_rewrite("tests.integrations.channel_suite")
