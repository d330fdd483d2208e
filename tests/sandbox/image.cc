#include "tests/sandbox/image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr size_t kStoredBlockMax = 65'535;

void Append32(std::string* out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

void Append16(std::string* out, uint32_t value) {
  out->push_back(static_cast<char>(value >> 8));
  out->push_back(static_cast<char>(value));
}

// The checksum of PNG chunks (PNG specification, annex D).
uint32_t Crc32(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
  }
  return ~crc;
}

uint32_t Adler32(std::string_view bytes) {
  uint32_t a = 1;
  uint32_t b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65'521;
    b = (b + a) % 65'521;
  }
  return (b << 16) | a;
}

void AppendChunk(std::string* png, std::string_view type, const std::string& data) {
  Append32(png, static_cast<uint32_t>(data.size()));
  std::string body(type);
  body += data;
  *png += body;
  Append32(png, Crc32(body));
}

// A zlib stream of stored blocks (RFC 1951 section 3.2.4): larger, but needs no compressor.
std::string ZlibStored(std::string_view bytes) {
  std::string out = "\x78\x01";
  for (size_t at = 0; at < bytes.size(); at += kStoredBlockMax) {
    const std::string_view block = bytes.substr(at, kStoredBlockMax);
    const auto length = static_cast<uint16_t>(block.size());
    out.push_back(at + block.size() == bytes.size() ? 1 : 0);
    for (const uint16_t value : {length, static_cast<uint16_t>(~length)}) {
      out.push_back(static_cast<char>(value & 255));
      out.push_back(static_cast<char>(value >> 8));
    }
    out += block;
  }
  Append32(&out, Adler32(bytes));
  return out;
}

void AppendColour(std::string* out, Colour colour) {
  for (const uint8_t part : {colour.red, colour.green, colour.blue}) {
    out->push_back(static_cast<char>(part));
  }
}

Colour Scale(Colour colour, double factor) {
  const auto part = [factor](uint8_t value) {
    return static_cast<uint8_t>(std::clamp(value * factor, 0.0, 255.0));
  };
  return {part(colour.red), part(colour.green), part(colour.blue)};
}

// Writes bits, most significant first, with JPEG's zero after every 0xff.
class BitWriter {
 public:
  explicit BitWriter(std::string* out) : out_(out) {}

  void Put(uint32_t bits, int count) {
    for (int i = count - 1; i >= 0; --i) {
      byte_ = (byte_ << 1) | ((bits >> i) & 1);
      if (++filled_ == 8) Emit();
    }
  }

  void Finish() {
    while (filled_ != 0) Put(1, 1);
  }

 private:
  void Emit() {
    out_->push_back(static_cast<char>(byte_));
    if ((byte_ & 255) == 255) out_->push_back(0);
    byte_ = 0;
    filled_ = 0;
  }

  std::string* out_;
  uint32_t byte_ = 0;
  int filled_ = 0;
};

}  // namespace

Colour ColourOf(std::string_view text) {
  const uint64_t hash = HashOf(text);
  return {static_cast<uint8_t>(hash), static_cast<uint8_t>(hash >> 8),
          static_cast<uint8_t>(hash >> 16)};
}

std::string MakePng(int width, int height, Colour colour) {
  std::string png = "\x89PNG\r\n\x1a\n";
  std::string header;
  Append32(&header, static_cast<uint32_t>(width));
  Append32(&header, static_cast<uint32_t>(height));
  header += std::string("\x02\x03\x00\x00\x00", 5);  // 2 bits a pixel, palette
  AppendChunk(&png, "IHDR", header);
  std::string palette;
  AppendColour(&palette, colour);
  AppendColour(&palette, Scale(colour, 0.5));
  AppendColour(&palette, {245, 245, 245});
  AppendChunk(&png, "PLTE", palette);

  std::string rows;
  for (int y = 0; y < height; ++y) {
    std::string row(1 + (width + 3) / 4, '\0');  // first byte: no filter
    for (int x = 0; x < width; ++x) {
      int index = 0;
      if (y > height * 2 / 5 && y < height * 3 / 5 && x > width / 10 && x < width * 9 / 10)
        index = 2;
      if (x < 4 || y < 4 || x >= width - 4 || y >= height - 4) index = 1;
      row[1 + x / 4] = static_cast<char>(row[1 + x / 4] | (index << (6 - x % 4 * 2)));
    }
    rows += row;
  }
  AppendChunk(&png, "IDAT", ZlibStored(rows));
  AppendChunk(&png, "IEND", "");
  return png;
}

std::string MakeJpeg(int width, int height, Colour colour) {
  // ITU T.81, baseline sequential. All blocks are flat, so only DC values are coded: the first
  // block carries the tone, every later difference is zero.
  const double r = colour.red;
  const double g = colour.green;
  const double b = colour.blue;
  const std::array<double, 3> tone = {0.299 * r + 0.587 * g + 0.114 * b - 128,
                                      -0.1687 * r - 0.3313 * g + 0.5 * b,
                                      0.5 * r - 0.4187 * g - 0.0813 * b};
  std::string jpeg = "\xff\xd8";
  jpeg += std::string("\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00", 18);
  jpeg += std::string("\xff\xdb\x00\x43\x00", 5) + std::string(64, '\x08');
  jpeg += std::string("\xff\xc0\x00\x11\x08", 5);
  Append16(&jpeg, static_cast<uint32_t>(height));
  Append16(&jpeg, static_cast<uint32_t>(width));
  jpeg += std::string("\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00", 10);
  // One DC table with 12 symbols of 4 bits, one AC table with nothing but "end of block".
  jpeg += std::string("\xff\xc4\x00\x1f\x00", 5) + std::string("\0\0\0\x0c", 4) +
          std::string(12, '\0') + std::string("\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b", 12);
  jpeg += std::string("\xff\xc4\x00\x14\x10\x01", 6) + std::string(15, '\0') + std::string(1, '\0');
  jpeg += std::string("\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00", 14);
  BitWriter bits(&jpeg);
  const int blocks = ((width + 7) / 8) * ((height + 7) / 8);
  for (int block = 0; block < blocks; ++block) {
    for (const double value : tone) {
      // A flat block of value v has the DC coefficient 8v; the quantiser divides it by 8.
      const int dc = block == 0 ? static_cast<int>(std::lround(value)) : 0;
      int size = 0;
      while ((std::abs(dc) >> size) != 0) ++size;
      bits.Put(static_cast<uint32_t>(size), 4);
      bits.Put(static_cast<uint32_t>(dc < 0 ? dc + (1 << size) - 1 : dc), size);
      bits.Put(0, 1);
    }
  }
  bits.Finish();
  return jpeg + "\xff\xd9";
}

std::string MakeSvg(int width, int height, Colour colour, std::string_view label) {
  const std::string w = std::to_string(width);
  const std::string h = std::to_string(height);
  const std::string fill = "#" + Hex(colour.red << 16 | colour.green << 8 | colour.blue, 6);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
         "\" viewBox=\"0 0 " + w + " " + h + "\"><rect width=\"100%\" height=\"100%\" fill=\"" +
         fill + "\"/><text x=\"50%\" y=\"50%\" text-anchor=\"middle\">" + HtmlEscape(label) +
         "</text></svg>\n";
}

std::string MakePdf(int width, int height, Colour colour) {
  const auto part = [](uint8_t value) { return std::to_string(value / 255.0).substr(0, 5); };
  const std::string box = std::to_string(width) + " " + std::to_string(height);
  const std::string content = part(colour.red) + " " + part(colour.green) + " " +
                              part(colour.blue) + " rg 0 0 " + box + " re f\n";
  const std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 " + box + "] /Contents 4 0 R >>",
      "<< /Length " + std::to_string(content.size()) + " >>\nstream\n" + content + "endstream"};
  std::string pdf = "%PDF-1.4\n";
  std::string table = "0000000000 65535 f \n";
  for (size_t i = 0; i < objects.size(); ++i) {
    std::string offset = std::to_string(pdf.size());
    table += std::string(10 - offset.size(), '0') + offset + " 00000 n \n";
    pdf += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::string start = std::to_string(pdf.size());
  return pdf + "xref\n0 5\n" + table + "trailer << /Size 5 /Root 1 0 R >>\nstartxref\n" + start +
         "\n%%EOF\n";
}

}  // namespace sandbox
