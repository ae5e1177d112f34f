//! What people read of hotfixes, and that no words of theirs are read as ours.
