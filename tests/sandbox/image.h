// Makes small valid image files without any library.
// Thread-safety: pure functions.
//
// Example:
//   std::string png = MakePng(600, 200, Colour{0x33, 0x66, 0x99});
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sandbox {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
};

// A colour that depends on the text alone; different texts nearly always differ.
Colour ColourOf(std::string_view text);

// A background of the colour with a darker frame and a lighter band.
std::string MakePng(int width, int height, Colour colour);
// One plain grey-green-blue tone: baseline JPEG, one colour all over.
std::string MakeJpeg(int width, int height, Colour colour);
std::string MakeSvg(int width, int height, Colour colour, std::string_view label);
std::string MakePdf(int width, int height, Colour colour);

}  // namespace sandbox
