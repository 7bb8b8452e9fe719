"""The sandbox's pages: plain HTML and one stylesheet, without JavaScript."""
