"""Why a read goes where it goes: what somebody asks, in words, and the page that answers it."""
