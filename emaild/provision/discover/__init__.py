"""Finding out, from an address alone, where its mailbox is and how it is signed in to."""
