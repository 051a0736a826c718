"""Writers: what turns a key fact into documents."""
